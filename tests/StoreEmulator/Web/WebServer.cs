using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.StoreEmulator.Web;

/// <summary>A web server of files on a port of 127.0.0.1.</summary>
public sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<WebRequest> _requests = [];
    private readonly ConcurrentQueue<Fault> _faults = [];

    private WebServer(WebApplication application)
    {
        _application = application;
        application.Run(AnswerAsync);
    }

    /// <summary>By the path and query as they stand in the request, with the leading <c>/</c>.</summary>
    public ConcurrentDictionary<string, WebFile> Files { get; } = new(StringComparer.Ordinal);

    public IReadOnlyCollection<WebRequest> Requests => _requests;

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host => Address.Authority;

    public static async Task<WebServer> StartAsync(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().UseUrls().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null)
                    listen.UseHttps(certificate);
            });
        });
        var application = builder.Build();
        var server = new WebServer(application);
        await application.StartAsync();
        return server;
    }

    /// <param name="fault">Of the operations <c>HEAD</c> and <c>GET</c>.</param>
    public void Inject(Fault fault) => _faults.Enqueue(fault);

    public int Count(string method) => _requests.Count(request => request.Method == method);

    public Task WaitForShutdownAsync() => _application.WaitForShutdownAsync();

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var headers = context.Request.Headers;
        _requests.Enqueue(new WebRequest(context.Request.Method, target, headers.Range.ToString(), headers.IfRange.ToString(), headers.IfMatch.ToString(), headers.AcceptEncoding.ToString()));
        if (_faults.FirstOrDefault(fault => fault.Strikes(context.Request.Method, context.Features.Get<IHttpRequestFeature>()!.RawTarget)) is { } fault)
            await Trouble.AnswerAsync(context, fault, () => AnswerAsync(context, target), status => Refuse(context, status));
        else
            await AnswerAsync(context, target);
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private async Task AnswerAsync(HttpContext context, string target)
    {
        var (request, response) = (context.Request, context.Response);
        if (!Files.TryGetValue(target, out var file))
        {
            response.StatusCode = 404;
            return;
        }
        if (file.Location is not null)
        {
            response.StatusCode = file.RedirectStatus;
            response.Headers.Location = file.Location;
            return;
        }
        var isHead = request.Method == "HEAD";
        if (file.Status is { } status || (isHead && file.HeadStatus is { } headStatus && (status = headStatus) > 0))
        {
            response.StatusCode = status;
            return;
        }
        response.Headers.ETag = file.ETag;
        if (file.Modified is { } modified)
            response.Headers.LastModified = modified.ToString("R", CultureInfo.InvariantCulture);
        if (file.Ranges)
            response.Headers.AcceptRanges = "bytes";
        response.Headers.ContentEncoding = file.ContentEncoding;
        if (request.Headers.IfMatch.Count > 0 && request.Headers.IfMatch.ToString() != file.ETag)
        {
            response.StatusCode = 412;
            return;
        }
        await SendAsync(context, file, RangeOf(request, file));
    }

    private static async Task SendAsync(HttpContext context, WebFile file, (int From, int To)? range)
    {
        var response = context.Response;
        var size = file.Content.Length;
        if (range is { } asked && asked.From >= size)
        {
            response.StatusCode = 416;
            response.Headers.ContentRange = $"bytes */{size}";
            return;
        }
        var (from, to) = range is { } part ? (part.From, Math.Min(part.To, size - 1)) : (0, size - 1);
        if (range is not null)
        {
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {from}-{to}/{size}";
        }
        if (file.SaysLength || range is not null)
            response.ContentLength = to - from + 1;
        if (context.Request.Method == "HEAD" && file.HeadLength is { } claimed)
            response.ContentLength = claimed;
        if (context.Request.Method != "HEAD")
            await response.Body.WriteAsync(file.Content.AsMemory(from, to - from + 1), context.RequestAborted);
    }

    private static (int From, int To)? RangeOf(HttpRequest request, WebFile file)
    {
        if (!file.Ranges || request.Method == "HEAD" || request.GetTypedHeaders().Range is not { Ranges.Count: 1 } header)
            return null;
        if (request.Headers.IfRange.ToString() is { Length: > 0 } condition && condition != file.ETag && condition != file.Modified?.ToString("R", CultureInfo.InvariantCulture))
            return null;
        var range = header.Ranges.Single();
        return ((int)(range.From ?? 0), (int)(range.To ?? int.MaxValue));
    }
}
