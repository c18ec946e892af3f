"""The language's reference, made from the tables that drive it: topics, a page, word lists."""
