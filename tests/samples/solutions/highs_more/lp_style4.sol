Model status
Optimal

# Primal solution values
Feasible
Objective 0.75
# Columns -3
a 0.25 0
longer_name_than_twelve_chars 0.25 1
c 4.75 2
