"""VNN-LIB instances: answered one by one, and folders of them run as they stand."""
