"""llama.cpp's server, from the library that ships it: `llama_server.py MODEL PORT TOKEN`. It runs until it is ended."""

from __future__ import annotations

import signal
import sys

import xllamacpp


def main(model: str, port: str, token: str) -> None:
    options = xllamacpp.CommonParams()
    options.model.path = model
    options.hostnames, options.port = ["127.0.0.1"], int(port)
    options.api_keys = [token]
    options.n_ctx, options.n_parallel, options.cpuparams.n_threads = 4096, 1, 2
    server = xllamacpp.Server(options)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
