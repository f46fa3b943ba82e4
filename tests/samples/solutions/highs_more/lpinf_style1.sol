Columns
    Index Status        Lower        Upper       Primal         Dual  Name
        0                   0         0.25                            a
        1                   0            1                            longer_name_than_twelve_chars
        2                   0          inf                            c
Rows
    Index Status        Lower        Upper       Primal         Dual  Name
        0                1000          inf                            R1
        1                -inf            5                            R2

Model status: Infeasible

Objective value: 0
