"""The model side: everything that needs PyTorch and transformers."""

import ctypes
import gc
import hashlib
import os
import random
import secrets
import time

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

transformers.utils.logging.disable_progress_bar()

IMPORTED = time.monotonic()
CHECKSUM_BLOCK_BYTES = 4 << 20


def configuration(options):
    return LlamaConfig(
        vocab_size=options.vocabulary,
        hidden_size=options.hidden,
        intermediate_size=options.intermediate,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.kv_heads,
        max_position_embeddings=8192,
    )


def draw(options, seed):
    """A network with random weights, made on the device."""
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(options.device):
            return LlamaForCausalLM(configuration(options))
    finally:
        torch.set_default_dtype(before)


def prepare(options, note):
    model = draw(options, options.seed)
    model.save_pretrained(options.directory, max_shard_size="4GB")
    note(f"{sum(p.numel() for p in model.parameters()) / 1e9:.2f} billion parameters written to {options.directory}")


class Model:
    """A warm model: loaded, compiled, run twice. Use it from the thread that loaded it."""

    def __init__(self, network, options):
        self.network = network
        self.device = options.device
        self.prompt_tokens = options.prompt_tokens
        self.max_tokens = options.max_tokens
        self.compiled = not options.no_compile
        self.vocabulary = network.config.vocab_size
        self.requests = 0
        self.seconds = {}
        # Made once a process start and kept only in memory: a thawed process still has it, a restarted one does not.
        self.process_token = secrets.token_hex(16)
        self.kv_pool = None
        self.kv_filled = options.kv_fill

    @classmethod
    def load(cls, options, started, note):
        note("imports done")
        if options.random_weights is None:
            network = LlamaForCausalLM.from_pretrained(
                options.directory, dtype=torch.bfloat16, device_map={"": options.device}
            ).eval()
        else:
            network = draw(options, options.random_weights).eval()
        network.generation_config.eos_token_id = None  # random weights know no end: always the asked number of tokens
        model = cls(network, options)
        model.synchronize()
        loaded = time.monotonic()
        note("weights loaded")

        model.kv_pool = torch.zeros(int(options.kv_gib * (1 << 30)), dtype=torch.uint8, device=options.device)
        model.rebuild_kv_pool()
        for _ in range(2):  # the first run compiles, the second captures
            model.generate(1, model.max_tokens)
        model.requests = 0
        model.synchronize()
        release_staging()
        warm = time.monotonic()
        model.seconds = {
            "importSeconds": round(IMPORTED - started, 3),
            "loadSeconds": round(loaded - IMPORTED, 3),
            "warmSeconds": round(warm - loaded, 3),
            "totalSeconds": round(warm - started, 3),
        }
        return model

    def rebuild_kv_pool(self):
        """Gives the pool the content that it has at the start, whatever is in it."""
        if self.kv_filled == "random":
            generator = torch.Generator(device=self.device).manual_seed(2)
            self.kv_pool.random_(0, 256, generator=generator)
        else:
            self.kv_pool.zero_()

    def empty_caches(self):
        """Gives back what the allocators keep for later; on a thread that has not used the GPU before."""
        self.synchronize()
        release_staging()

    def synchronize(self):
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()

    def generate(self, seed, tokens):
        """Greedy continuation of a prompt drawn from `seed`: the same answer every time, from every right restore."""
        draw = random.Random(seed)
        prompt = [draw.randrange(self.vocabulary) for _ in range(self.prompt_tokens)]
        ids = torch.tensor([prompt], device=self.device)
        started = time.monotonic()
        with torch.no_grad():
            out = self.network.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=tokens,
                do_sample=False,
                cache_implementation="static",
                pad_token_id=0,
                disable_compile=not self.compiled,
            )
        answer = out[0, self.prompt_tokens :].tolist()
        self.requests += 1
        return {
            "seed": seed,
            "tokens": answer,
            "sha256": hashlib.sha256(",".join(map(str, answer)).encode()).hexdigest(),
            "processToken": self.process_token,
            "requests": self.requests,
            "seconds": round(time.monotonic() - started, 4),
        }

    def checksum(self):
        """SHA-256 over the 64-bit sums of every 4 MiB of all weights and of the KV pool: covers bytes that no answer reads."""
        digest = hashlib.sha256()
        covered = 0
        for tensor in [*self.network.parameters(), self.kv_pool]:
            flat = tensor.detach().reshape(-1).view(torch.uint8)
            words = flat[: flat.numel() // 8 * 8].view(torch.int64)
            block = CHECKSUM_BLOCK_BYTES // 8
            whole = words.numel() // block * block
            digest.update(str(words[:whole].view(whole // block, block).sum(dim=1).tolist()).encode())
            digest.update(str(words[whole:].sum().item()).encode())
            digest.update(bytes(flat[words.numel() * 8 :].tolist()))
            covered += flat.numel()
        return {"sha256": digest.hexdigest(), "bytes": covered, "processToken": self.process_token}

    def stats(self):
        cuda = self.device.startswith("cuda")
        return {
            **self.seconds,
            "pid": os.getpid(),
            "processToken": self.process_token,
            "requests": self.requests,
            "compiled": self.compiled,
            "weightsBytes": sum(p.numel() * p.element_size() for p in self.network.parameters()),
            "kvBytes": self.kv_pool.numel(),
            "vramBytes": torch.cuda.memory_reserved() if cuda else 0,
            "residentBytes": resident_bytes(),
            "childProcesses": child_processes(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "gpu": torch.cuda.get_device_name() if cuda else "none",
        }


def release_staging():
    """Gives back what loading and compiling left behind, on both sides, so that no snapshot carries it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        drop_pinned = getattr(torch._C, "_host_emptyCache", None)
        if drop_pinned is not None:
            drop_pinned()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def child_processes():
    children = []
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
            children += file.read().split()
    return len(children)
