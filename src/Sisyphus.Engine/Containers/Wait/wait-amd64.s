# sisyphus-wait for x86-64 Linux. What it does and why: README.md beside.
        .intel_syntax noprefix
        .globl  _start
        .equ    SYS_write, 1
        .equ    SYS_rt_sigaction, 13
        .equ    SYS_rt_sigprocmask, 14
        .equ    SYS_ioctl, 16
        .equ    SYS_nanosleep, 35
        .equ    SYS_getpid, 39
        .equ    SYS_socket, 41
        .equ    SYS_exit, 60
        .equ    SYS_kill, 62
        .equ    SYS_rt_sigtimedwait, 128
        .equ    SIOCADDRT, 0x890B
        .equ    EEXIST, 17
        .equ    ESRCH, 3

        .text
_start: mov     r12, [rsp]              # argc

        mov     eax, SYS_getpid         # "every other process" must be a container's, never a host's
        syscall
        mov     edi, 1
        cmp     eax, edi
        jne     exit

        mov     eax, SYS_rt_sigprocmask # a blocked signal reaches PID 1 and waits there
        mov     edi, 2                  # SIG_SETMASK
        lea     rsi, all[rip]
        xor     edx, edx
        mov     r10d, 8
        syscall
        mov     eax, SYS_rt_sigaction   # orphans vanish without being waited for
        mov     edi, 17                 # SIGCHLD
        lea     rsi, ignore[rip]
        xor     edx, edx
        mov     r10d, 8
        syscall

        cmp     r12, 1
        jle     wait

        mov     edi, 2                  # AF_INET
        lea     rbx, route4[rip]
        call    add
        test    eax, eax
        jz      1f
        cmp     eax, -EEXIST
        jne     fail
1:      mov     edi, 10                 # AF_INET6; there may be none
        lea     rbx, route6[rip]
        call    add
        mov     eax, SYS_write          # ready
        mov     edi, 1
        lea     rsi, ready[rip]
        mov     edx, 1
        syscall

wait:   mov     eax, SYS_rt_sigtimedwait
        lea     rdi, ends[rip]
        xor     esi, esi
        xor     edx, edx
        mov     r10d, 8
        syscall
        test    eax, eax
        js      wait                    # EINTR

        mov     esi, 15                 # SIGTERM to everything but us
        call    others
poll:   xor     esi, esi
        call    others
        cmp     eax, -ESRCH
        je      done
        mov     eax, SYS_nanosleep
        lea     rdi, tick[rip]
        xor     esi, esi
        syscall
        jmp     poll
done:   xor     edi, edi
exit:   mov     eax, SYS_exit
        syscall
fail:   mov     edi, eax
        neg     edi                     # errno
        jmp     exit

others: mov     eax, SYS_kill
        mov     rdi, -1
        syscall
        ret

# edi: family, rbx: the route; the result in eax
add:    mov     eax, SYS_socket
        mov     esi, 0x80002            # SOCK_DGRAM | SOCK_CLOEXEC
        xor     edx, edx
        syscall
        test    eax, eax
        js      1f
        mov     edi, eax
        mov     eax, SYS_ioctl
        mov     esi, SIOCADDRT
        mov     rdx, rbx
        syscall
1:      ret

        .balign 8
all:    .quad   -1
ends:   .quad   (1 << 14) | (1 << 1)    # SIGTERM, SIGINT
ignore: .quad   1, 0x04000000, 0, 0     # SIG_IGN; SA_RESTORER, whose address is never used
tick:   .quad   0, 20000000
        .include "routes.inc"
