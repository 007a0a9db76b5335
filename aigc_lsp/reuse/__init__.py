"""Answers that need no new question: what was shown, typed through or backspaced into; what the model has said already;
what it is saying at this moment. One `Memory` for each document."""
