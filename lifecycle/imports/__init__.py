"""Other people's tables read as project rows; turning those into commands is done elsewhere."""
