"""What the reliability tests share: schools, servers, databases, a bad line, and what came of it."""
