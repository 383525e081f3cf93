"""What is found out about whole classes, and about the grader itself; grading needs none of it."""
