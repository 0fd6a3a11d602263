/* The digest kernels' PTX as a string. GPUSNAP_TREE_DIGEST_PTX is the file's path, from CMake. */
    .section .rodata
    .globl gpusnap_tree_digest_ptx
    .hidden gpusnap_tree_digest_ptx
    .type gpusnap_tree_digest_ptx, %object
    .balign 16
gpusnap_tree_digest_ptx:
    .incbin GPUSNAP_TREE_DIGEST_PTX
    .byte 0
    .size gpusnap_tree_digest_ptx, .-gpusnap_tree_digest_ptx
    .section .note.GNU-stack, "", %progbits
