Model status
Optimal

# Primal solution values
Feasible
Objective 0.75
# Columns 3
a 0.25
longer_name_than_twelve_chars 0.25
c 4.75
# Rows 2
R1 1
R2 5

# Dual solution values
Feasible
# Columns 3
a -5
longer_name_than_twelve_chars 0
c 0
# Rows 2
R1 2
R2 0

# Basis
HiGHS_basis_file v2
Valid
# Columns 3
a 2
longer_name_than_twelve_chars 1
c 1
# Rows 2
R1 0
R2 2
