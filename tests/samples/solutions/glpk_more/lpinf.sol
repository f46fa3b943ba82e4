c Problem:    lp
c Rows:       2
c Columns:    3
c Non-zeros:  4
c Status:     INFEASIBLE (FINAL)
c Objective:  OBJ = 2.25 (MINimum)
c
s bas 2 3 n i 2.25
i 1 b 1.75 0
i 2 b 0.25 0
j 1 u 0.25 1
j 2 u 1 2
j 3 l 0 0
e o f
