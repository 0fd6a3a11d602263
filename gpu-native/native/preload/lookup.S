/*
 * The interposed dlsym(handle, name). It must not leave a frame of its own behind when it hands over to
 * the real dlsym, because that one looks at its return address to know whose RTLD_NEXT is meant.
 */
#if defined(__x86_64__)
    .text
    .globl dlsym
    .type dlsym, @function
    .p2align 4
dlsym:
    .cfi_startproc
    endbr64
    movq    gpusnap_real_dlsym(%rip), %rax
    testq   %rax, %rax
    jz      .Lfind
.Lfound:
    testq   %rsi, %rsi
    jz      .Lforward
    cmpb    $'c', (%rsi)
    jne     .Lforward
    cmpb    $'u', 1(%rsi)
    jne     .Lforward
    cmpq    $-1, %rdi               /* RTLD_NEXT: whoever comes after the caller, so never us */
    je      .Lforward
    testq   %rdi, %rdi              /* RTLD_DEFAULT */
    jz      .Ldefault
    jmp     gpusnap_dlsym_in_library
.Lforward:
    jmp     *%rax
.Ldefault:
    pushq   %rdi
    .cfi_adjust_cfa_offset 8
    pushq   %rsi
    .cfi_adjust_cfa_offset 8
    pushq   %rax
    .cfi_adjust_cfa_offset 8
    movq    %rsi, %rdi
    call    gpusnap_dlsym_hides
    movl    %eax, %ecx
    popq    %rax
    .cfi_adjust_cfa_offset -8
    popq    %rsi
    .cfi_adjust_cfa_offset -8
    popq    %rdi
    .cfi_adjust_cfa_offset -8
    testl   %ecx, %ecx
    jz      .Lforward
    xorl    %eax, %eax
    ret
.Lfind:
    pushq   %rdi
    .cfi_adjust_cfa_offset 8
    pushq   %rsi
    .cfi_adjust_cfa_offset 8
    subq    $8, %rsp
    .cfi_adjust_cfa_offset 8
    call    gpusnap_find_real_dlsym
    addq    $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq    %rsi
    .cfi_adjust_cfa_offset -8
    popq    %rdi
    .cfi_adjust_cfa_offset -8
    jmp     .Lfound
    .cfi_endproc
    .size dlsym, .-dlsym
#elif defined(__aarch64__)
    .text
    .globl dlsym
    .type dlsym, %function
    .p2align 4
dlsym:
    .cfi_startproc
    hint    #34                     /* bti c */
    adrp    x16, gpusnap_real_dlsym
    ldr     x16, [x16, :lo12:gpusnap_real_dlsym]
    cbz     x16, .Lfind
.Lfound:
    cbz     x1, .Lforward
    ldrb    w9, [x1]
    cmp     w9, #'c'
    b.ne    .Lforward
    ldrb    w9, [x1, #1]
    cmp     w9, #'u'
    b.ne    .Lforward
    cmn     x0, #1                  /* RTLD_NEXT: whoever comes after the caller, so never us */
    b.eq    .Lforward
    cbz     x0, .Ldefault           /* RTLD_DEFAULT */
    b       gpusnap_dlsym_in_library
.Lforward:
    br      x16
.Ldefault:
    stp     x29, x30, [sp, #-48]!
    stp     x0, x1, [sp, #16]
    str     x16, [sp, #32]
    mov     x0, x1
    bl      gpusnap_dlsym_hides
    mov     w9, w0
    ldr     x16, [sp, #32]
    ldp     x0, x1, [sp, #16]
    ldp     x29, x30, [sp], #48
    cbz     w9, .Lforward
    mov     x0, #0
    ret
.Lfind:
    stp     x29, x30, [sp, #-32]!
    stp     x0, x1, [sp, #16]
    bl      gpusnap_find_real_dlsym
    mov     x16, x0
    ldp     x0, x1, [sp, #16]
    ldp     x29, x30, [sp], #32
    b       .Lfound
    .cfi_endproc
    .size dlsym, .-dlsym
#else
#error "gpusnap-preload supports x86-64 and aarch64"
#endif
    .section .note.GNU-stack, "", %progbits
