Model status
Optimal

# Primal solution values
Feasible
Objective 1.2083333333333
# Columns -4
x_1 -0.5 0
b.2 1 1
z{3} 4 2
f_4 0.4166666666667 4
