c Problem:    lp
c Rows:       3
c Columns:    3
c Non-zeros:  6
c Status:     OPTIMAL
c Objective:  OBJ = 0.75 (MINimum)
c
s bas 3 3 f f 0.75
i 1 b 0.75 0
i 2 l 1 2
i 3 u 5 0
j 1 u 0.25 -5
j 2 b 0.25 0
j 3 b 4.75 0
e o f
