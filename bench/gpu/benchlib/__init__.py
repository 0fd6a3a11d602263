"""Parts of the GPU benchmark. Standard library only: it runs where nothing can be installed."""
