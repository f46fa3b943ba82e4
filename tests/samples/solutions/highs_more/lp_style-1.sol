3 2 : Number of columns and rows for primal or dual solution or basis
T Primal solution
T Dual solution
T Basis
Columns
0.25 -5 2
0.25 0 1
4.75 0 1
Rows
1 2 0
5 -0 2
