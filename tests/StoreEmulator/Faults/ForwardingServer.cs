using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Sisyphus.Tests.StoreEmulator.Faults;

/// <summary>Stands before a server of somebody else's making, counts what goes by, and makes it go wrong.</summary>
public sealed class ForwardingServer : IAsyncDisposable
{
    private static readonly UriCreationOptions Untouched = new() { DangerousDisablePathAndQueryCanonicalization = true };
    private static readonly string[] OfTheConnection = ["Connection", "Keep-Alive", "Transfer-Encoding"];

    private readonly WebApplication _application;
    private readonly Uri _server;
    private readonly Func<HttpRequest, string> _operation;
    private readonly Func<HttpContext, int, Task> _refuse;
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
    private readonly ConcurrentQueue<Fault> _faults = [];
    private readonly ConcurrentQueue<(string Operation, long Content)> _seen = [];

    private ForwardingServer(WebApplication application, Uri server, Func<HttpRequest, string> operation, Func<HttpContext, int, Task> refuse)
    {
        (_application, _server, _operation, _refuse) = (application, server, operation, refuse);
        application.Run(AnswerAsync);
    }

    /// <summary><c>http://127.0.0.1:PORT</c>.</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <param name="operation">What a request is called.</param>
    /// <param name="refuse">Answers with a status, in the service's words.</param>
    public static async Task<ForwardingServer> StartAsync(Uri server, Func<HttpRequest, string> operation, Func<HttpContext, int, Task> refuse)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
        });
        var application = builder.Build();
        var forwarding = new ForwardingServer(application, server, operation, refuse);
        await application.StartAsync();
        return forwarding;
    }

    public void Inject(Fault fault) => _faults.Enqueue(fault);

    public int Count(string operation) => _seen.Count(seen => seen.Operation == operation);

    /// <summary>Bytes that requests of a kind brought, as announced.</summary>
    public long Received(string operation) => _seen.Where(seen => seen.Operation == operation).Sum(seen => seen.Content);

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var operation = _operation(context.Request);
        _seen.Enqueue((operation, context.Request.ContentLength ?? 0));
        if (_faults.FirstOrDefault(fault => fault.Strikes(operation, context.Features.Get<IHttpRequestFeature>()!.RawTarget)) is { } fault)
            await Trouble.AnswerAsync(context, fault, () => ForwardAsync(context), status => _refuse(context, status));
        else
            await ForwardAsync(context);
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri($"{_server.Scheme}://{_server.Authority}{target}", in Untouched));
        if (context.Request.ContentLength is { } length)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.ContentLength = length;
        }
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name != "Content-Length" && !OfTheConnection.Contains(name, StringComparer.OrdinalIgnoreCase) && !request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
        using var answer = await _client.SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!OfTheConnection.Contains(name, StringComparer.OrdinalIgnoreCase))
                context.Response.Headers[name] = values.ToArray();
        }
        if (context.Request.Method != "HEAD" && answer.StatusCode is not (System.Net.HttpStatusCode.NoContent or System.Net.HttpStatusCode.NotModified))
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
