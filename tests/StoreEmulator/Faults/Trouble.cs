using System.Globalization;

namespace Sisyphus.Tests.StoreEmulator.Faults;

/// <summary>Makes a request go wrong.</summary>
internal static class Trouble
{
    /// <param name="answer">What the service does when all goes well.</param>
    /// <param name="refuse">Answers with a status, in the service's words.</param>
    public static async Task AnswerAsync(HttpContext context, Fault fault, Func<Task> answer, Func<int, Task> refuse)
    {
        switch (fault.Kind)
        {
            case FaultKind.ResetBeforeHeaders:
                context.Abort();
                break;
            case FaultKind.ResetInRequest:
                var half = new byte[Math.Max(1, (context.Request.ContentLength ?? 0) / 2)];
                await context.Request.Body.ReadAtLeastAsync(half, half.Length, throwOnEndOfStream: false);
                context.Abort();
                break;
            case FaultKind.Stalled:
                await UntilTheClientLeavesAsync(context);
                break;
            case FaultKind.TooManyRequests:
                SayWhen(context, fault.RetryAfterSeconds ?? 0);
                await refuse(429);
                break;
            case FaultKind.InternalError:
                await refuse(500);
                break;
            case FaultKind.Unavailable:
                SayWhen(context, fault.RetryAfterSeconds);
                await refuse(503);
                break;
            case FaultKind.ExpiredToken:
                await refuse(401);
                break;
            case FaultKind.Forbidden:
                await refuse(403);
                break;
            case FaultKind.Held:
                await HoldAsync(context, fault, answer);
                break;
            case FaultKind.CorruptRequest:
                context.Request.Body = new FlippedStream(context.Request.Body);
                await answer();
                break;
            default:
                await AfterwardsAsync(context, fault.Kind, answer);
                break;
        }
    }

    private static async Task HoldAsync(HttpContext context, Fault fault, Func<Task> answer)
    {
        using var received = new MemoryStream();
        await context.Request.Body.CopyToAsync(received, context.RequestAborted);
        received.Position = 0;
        context.Request.Body = received;
        fault.Arrive();
        if (await Task.WhenAny(fault.Released, Task.Delay(Timeout.Infinite, context.RequestAborted)) == fault.Released)
            await answer();
        else
            context.Abort();
    }

    private static async Task AfterwardsAsync(HttpContext context, FaultKind kind, Func<Task> answer)
    {
        var body = context.Response.Body;
        using var kept = new MemoryStream();
        context.Response.Body = kept;
        try
        {
            await answer();
        }
        finally
        {
            context.Response.Body = body;
        }
        if (kind == FaultKind.AnswerLost)
        {
            context.Abort();
            return;
        }
        var bytes = kept.ToArray();
        if (kind == FaultKind.CorruptAnswer && bytes.Length > 0)
            bytes[bytes.Length / 2] ^= 0x10;
        if (kind == FaultKind.Truncated)
            context.Response.ContentLength = bytes.Length / 2;
        await body.WriteAsync(kind == FaultKind.CorruptAnswer ? bytes : bytes.AsMemory(0, bytes.Length / 2));
        await body.FlushAsync();
        if (kind == FaultKind.ResetInAnswer)
            context.Abort();
        if (kind == FaultKind.Silent)
            await UntilTheClientLeavesAsync(context);
    }

    private static Task UntilTheClientLeavesAsync(HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);

    private static void SayWhen(HttpContext context, int? seconds)
    {
        if (seconds is { } said)
            context.Response.Headers.RetryAfter = said.ToString(CultureInfo.InvariantCulture);
    }
}
