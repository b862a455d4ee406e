"""LLM chat for Django that streams, stops, resumes, and never loses a word."""
