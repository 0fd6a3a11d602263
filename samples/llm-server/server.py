#!/usr/bin/env python3
"""A small LLM server to freeze and thaw: a Llama-shaped transformer with random weights.

    server.py prepare DIR [--layers 32 ...]     write random weights as safetensors
    server.py serve DIR --port 8000 [...]       load, compile, warm up, answer over HTTP
    server.py serve --random-weights 1 --port 8000 [...]        the same without files: weights drawn on the device

The process is kept plain, because it is going to be dumped: one process, no worker pools, one
listening socket, no connection that outlives its answer, all output in a file.
"""

import argparse
import os
import signal
import sys
import threading
import time

STARTED = time.monotonic()

# Before torch is imported: both would start helper processes that a dump would have to carry.
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)

    prepare = verbs.add_parser("prepare", help="write a model with random weights")
    prepare.add_argument("directory")
    prepare.add_argument("--seed", type=int, default=0)

    serve = verbs.add_parser("serve", help="load a prepared model and answer over HTTP")
    serve.add_argument("directory", nargs="?")
    serve.add_argument("--random-weights", type=int, metavar="SEED", help="draw the weights on the device instead of reading DIR")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--kv-gib", type=float, default=4.0, help="size of the KV pool taken beside the model")
    serve.add_argument("--kv-fill", choices=["zero", "random"], default="zero")
    serve.add_argument(
        "--kv-rebuildable",
        action="store_true",
        help="tell gpusnap that the KV pool need not be saved, and empty caches before a save",
    )
    serve.add_argument("--prompt-tokens", type=int, default=32)
    serve.add_argument("--max-tokens", type=int, default=24)
    serve.add_argument("--no-compile", action="store_true", help="decode without torch.compile")
    serve.add_argument("--log", help="file that takes all output (default: the caller's standard error)")

    for verb in (prepare, serve):
        verb.add_argument("--device", default="cuda")
        # The shape: of what is prepared, or of random weights.
        verb.add_argument("--layers", type=int, default=32)
        verb.add_argument("--hidden", type=int, default=4096)
        verb.add_argument("--intermediate", type=int, default=14336)
        verb.add_argument("--heads", type=int, default=32)
        verb.add_argument("--kv-heads", type=int, default=8)
        verb.add_argument("--vocabulary", type=int, default=128256)
    options = parser.parse_args(arguments)
    if options.verb == "serve" and (options.directory is None) == (options.random_weights is None):
        parser.error("serve takes either DIR or --random-weights SEED")
    return options


def detach_streams(log):
    """Points standard input at /dev/null and, with a log file, output at that file: a dump carries no terminal or pipe."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if log:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


def note(text):
    print(f"{time.monotonic() - STARTED:8.2f} s  {text}", file=sys.stderr, flush=True)


def serve(options):
    detach_streams(options.log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from llm_http import AnswerServer

    # The socket is open from the start, so that /ready can say "not yet"; a thread answers it until the
    # model is warm, then ends. Compiled graphs belong to the thread that captured them: the main one.
    server = AnswerServer((options.host, options.port))
    warm = threading.Event()
    early = threading.Thread(target=server.serve_until, args=(warm,), name="not-yet")
    early.start()
    try:
        from llm_model import Model

        model = Model.load(options, STARTED, note)
    finally:
        warm.set()
        early.join()
    server.model = model
    if options.kv_rebuildable:
        from llm_hints import declare

        declare(model, server, note)
    note(f"ready on port {options.port}: {model.stats()}")
    server.serve_forever()


def main():
    options = parse(sys.argv[1:])
    if options.verb == "prepare":
        from llm_model import prepare

        prepare(options, note)
    else:
        serve(options)


if __name__ == "__main__":
    main()
