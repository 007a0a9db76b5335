"""Model files on this machine: fetched from pinned sources, checked, converted once, never half-written.

`store.Store` is the way in; `sources` brings bytes, `packed` seals what a conversion wrote. None of it
knows what a GGUF or a tensor is."""
