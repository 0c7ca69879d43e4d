"""What watches the house from outside: a bank and a book of the fund, neither of which shares any code with it."""
