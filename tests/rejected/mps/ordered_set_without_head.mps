NAME demo FREE
ROWS
 N obj
 L r1
 G r2
 E r3
COLUMNS
 x obj 1
 x r1 2
 y r1 -1
 y r2 3
 MARKER 'MARKER' 'INTORG'
 b r2 1
 b r3 1
 MARKER 'MARKER' 'INTEND'
RHS
 RHS r1 4
 RHS r3 1
BOUNDS
 LO BND x -1
 UP BND x 4
 LO BND y 0
 LO BND b 0
 UP BND b 1
SOS
    x 1
ENDATA
