NAME          demo
ROWS
 N  obj
 L  my row
COLUMNS
    my col    my row           1.0x
RHS
ENDATA
