// sisyphus-wait for 64-bit ARM Linux. What it does and why: README.md beside.
        .globl  _start
        .equ    SYS_ioctl, 29
        .equ    SYS_write, 64
        .equ    SYS_exit, 93
        .equ    SYS_nanosleep, 101
        .equ    SYS_kill, 129
        .equ    SYS_rt_sigaction, 134
        .equ    SYS_rt_sigprocmask, 135
        .equ    SYS_rt_sigtimedwait, 137
        .equ    SYS_getpid, 172
        .equ    SYS_socket, 198
        .equ    SIOCADDRT, 0x890B
        .equ    EEXIST, 17
        .equ    ESRCH, 3

        .text
_start: ldr     x19, [sp]               // argc

        mov     x8, SYS_getpid          // "every other process" must be a container's, never a host's
        svc     0
        cmp     x0, 1
        mov     x0, 1
        b.ne    exit

        mov     x8, SYS_rt_sigprocmask  // a blocked signal reaches PID 1 and waits there
        mov     x0, 2                   // SIG_SETMASK
        adr     x1, all
        mov     x2, 0
        mov     x3, 8
        svc     0
        mov     x8, SYS_rt_sigaction    // orphans vanish without being waited for
        mov     x0, 17                  // SIGCHLD
        adr     x1, ignore
        mov     x2, 0
        mov     x3, 8
        svc     0

        cmp     x19, 1
        b.le    wait

        mov     x0, 2                   // AF_INET
        adr     x20, route4
        bl      add
        cbz     w0, 1f
        cmn     w0, EEXIST
        b.ne    fail
1:      mov     x0, 10                  // AF_INET6; there may be none
        adr     x20, route6
        bl      add
        mov     x8, SYS_write           // ready
        mov     x0, 1
        adr     x1, ready
        mov     x2, 1
        svc     0

wait:   mov     x8, SYS_rt_sigtimedwait
        adr     x0, ends
        mov     x1, 0
        mov     x2, 0
        mov     x3, 8
        svc     0
        tbnz    w0, 31, wait            // EINTR

        mov     x1, 15                  // SIGTERM to everything but us
        bl      others
poll:   mov     x1, 0
        bl      others
        cmn     w0, ESRCH
        b.eq    done
        mov     x8, SYS_nanosleep
        adr     x0, tick
        mov     x1, 0
        svc     0
        b       poll
done:   mov     x0, 0
exit:   mov     x8, SYS_exit
        svc     0
fail:   neg     w0, w0                  // errno
        b       exit

others: mov     x8, SYS_kill
        mov     x0, -1
        svc     0
        ret

// x0: family, x20: the route; the result in w0
add:    mov     x8, SYS_socket
        mov     x1, 2                   // SOCK_DGRAM | SOCK_CLOEXEC
        movk    x1, 8, lsl 16
        mov     x2, 0
        svc     0
        tbnz    w0, 31, 1f
        mov     x8, SYS_ioctl
        mov     x1, SIOCADDRT
        mov     x2, x20
        svc     0
1:      ret

        .balign 8
all:    .quad   -1
ends:   .quad   (1 << 14) | (1 << 1)    // SIGTERM, SIGINT
ignore: .quad   1, 0, 0, 0              // SIG_IGN
tick:   .quad   0, 20000000
        .include "routes.inc"
