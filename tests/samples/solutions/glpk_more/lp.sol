c Problem:    lp
c Rows:       2
c Columns:    3
c Non-zeros:  4
c Status:     OPTIMAL
c Objective:  OBJ = 0.75 (MINimum)
c
s bas 2 3 f f 0.75
i 1 l 1 2
i 2 b -1e+100 0
j 1 u 0.25 -5
j 2 b 0.25 0
j 3 l -1e+100 0
e o f
