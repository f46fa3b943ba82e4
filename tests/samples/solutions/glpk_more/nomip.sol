c Problem:    iinf
c Rows:       1
c Columns:    2
c Non-zeros:  2
c Status:     OPTIMAL
c Objective:  OBJ = 1.5 (MINimum)
c
s bas 1 2 f f 1.5
i 1 s 3 0.5
j 1 b 1.5 0
j 2 l 0 0
e o f
