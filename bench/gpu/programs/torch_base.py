"""What the PyTorch programs share: a small transformer, sums over memory, raw bytes of tensors."""

import gc
import os

# Before torch is imported: it would start helper processes that a dump would have to carry.
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

import torch
import torch.nn.functional as F

from protocol import Program

BLOCK_BYTES = 4 << 20
# So many are multiplied at a time: the products take as much device memory again.
BLOCKS_A_TIME = 8


def raw(tensor):
    """The bytes of a tensor, exactly."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).cpu().numpy().tobytes()


def sums(tensors):
    """64-bit sums of every 4 MiB of the tensors, as bytes: taken on the device, so that all of it can be checked. Each word is
    taken times an odd number of its own, wrapping: a word that changes changes the sum, and so do words that change places."""
    parts = []
    block = BLOCK_BYTES // 8
    for tensor in tensors:
        flat = tensor.detach().reshape(-1).view(torch.uint8)
        odd = torch.arange(1, 2 * block, 2, device=flat.device)
        words = flat[: flat.numel() // 8 * 8].view(torch.int64)
        whole = words.numel() // block * block
        for some in words[:whole].view(-1, block).split(BLOCKS_A_TIME):
            parts.append((some * odd).sum(dim=1).cpu())
        for rest in (words[whole:], flat[words.numel() * 8 :].to(torch.int64)):
            parts.append((rest * odd[: rest.numel()]).sum().reshape(1).cpu())
    return torch.cat(parts).numpy().tobytes() if parts else b""


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = torch.nn.LayerNorm(width)
        self.qkv = torch.nn.Linear(width, 3 * width)
        self.out = torch.nn.Linear(width, width)
        self.norm2 = torch.nn.LayerNorm(width)
        self.up = torch.nn.Linear(width, 4 * width)
        self.down = torch.nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class TorchProgram(Program):
    """A transformer of about options.mib with weights drawn from the token; eager, one answer a forward pass."""

    batch, length = 4, 64
    width = 2048

    def load(self):
        self.device = self.options.device
        self.cuda = self.device.startswith("cuda")
        width = min(self.width, 256) if not self.cuda else self.width
        layers = max(1, round((self.options.mib << 20) / (12 * width * width * 2)))
        torch.manual_seed(self.seed)
        with torch.device(self.device):
            self.network = torch.nn.Sequential(*(Block(width, width // 64) for _ in range(layers))).to(torch.bfloat16).eval()
        self.width = width
        self.prepare()
        self.answer(1)
        self.synchronize()
        release()

    def prepare(self):
        """What a subclass builds on the network."""

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()

    def input(self, n, batch=None, length=None):
        draw = torch.Generator().manual_seed(1000 + n)
        return torch.randn(batch or self.batch, length or self.length, self.width, generator=draw).to(torch.bfloat16).to(self.device)

    @torch.no_grad()
    def answer(self, n):
        return raw(self.network(self.input(n)))

    @torch.no_grad()
    def work(self, round):
        """Other shapes than before: kernels, workspaces and memory that this process has not used yet."""
        return raw(self.network(self.input(round, batch=round + 1, length=32 + 16 * round)))

    def state_tensors(self):
        return list(self.network.parameters())

    def state(self):
        return sums(self.state_tensors())

    def facts(self):
        facts = {"torch": torch.__version__, "stateBytes": sum(t.numel() * t.element_size() for t in self.state_tensors())}
        if self.cuda:
            facts |= {"allocator": torch.cuda.get_allocator_backend(), "reservedBytes": torch.cuda.memory_reserved()}
            facts |= {"allocatorSettings": os.environ.get("PYTORCH_CUDA_ALLOC_CONF", "")}
        return facts


def release():
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def pieces(total_bytes, piece_bytes):
    return [min(piece_bytes, total_bytes - at) for at in range(0, total_bytes, piece_bytes)] if total_bytes else []


__all__ = ["Block", "F", "TorchProgram", "pieces", "raw", "release", "sums", "torch"]
