"""What people read: result folders, tables, pages, similar answers, and Gradescope's format."""
