c Problem:    lpinf
c Rows:       3
c Columns:    3
c Non-zeros:  6
c Status:     INFEASIBLE (FINAL)
c Objective:  OBJ = 0 (MINimum)
c
s bas 3 3 u u 0
