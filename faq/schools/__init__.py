"""Schools: the directory as a file, a search by the words of parents, and an example that is made up."""
