Columns
    Index Status        Lower        Upper       Primal         Dual  Name
        0     UB            0         0.25         0.25           -5  a
        1     BS            0          inf         0.25            0  longer_name_than_twelve_chars
        2     BS         -inf          inf         4.75            0  c
Rows
    Index Status        Lower        Upper       Primal         Dual  Name
        0     LB            1          inf            1            2  R1
        1     UB         -inf            5            5           -0  R2

Model status: Optimal

Objective value: 0.75
