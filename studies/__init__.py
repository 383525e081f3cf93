"""What was found out once about whole classes, and can be found out again."""
