using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>The protocol of AWS S3 on a port of 127.0.0.1: as strict as the service, as far as it goes.</summary>
public sealed class S3Emulator : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly S3Buckets _buckets;
    private readonly ConcurrentQueue<S3Seen> _requests = [];
    private readonly ConcurrentQueue<Fault> _faults = [];

    private S3Emulator(WebApplication application, S3EmulatorOptions options)
    {
        _application = application;
        Options = options;
        _buckets = new S3Buckets(options);
        var objects = new S3Objects(options) { Buckets = _buckets };
        var multipart = new S3Multipart(options, _buckets, objects);
        application.Run(context => AnswerAsync(context, objects, multipart));
    }

    public S3EmulatorOptions Options { get; }

    /// <summary><c>http://127.0.0.1:PORT</c>.</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What was asked for so far.</summary>
    public IReadOnlyCollection<S3Seen> Requests => _requests;

    /// <param name="port">0: any that is free.</param>
    public static async Task<S3Emulator> StartAsync(S3EmulatorOptions? options = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}").ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            // A key of 1,024 bytes has three times as many in a request line.
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
        });
        var application = builder.Build();
        var emulator = new S3Emulator(application, options ?? new S3EmulatorOptions());
        await application.StartAsync();
        return emulator;
    }

    public int Count(string operation) => _requests.Count(seen => seen.Operation == operation);

    /// <summary>Bytes that requests of a kind brought, as announced.</summary>
    public long Received(string operation) => _requests.Where(seen => seen.Operation == operation).Sum(seen => seen.Content);

    public void Inject(Fault fault) => _faults.Enqueue(fault);

    public void CreateBucket(string name) => _buckets.Create(name);

    /// <summary>Makes an object, without a checksum but MD5, as old ones are.</summary>
    public void Put(string bucket, string key, ReadOnlySpan<byte> content)
    {
        var found = _buckets.Get(bucket);
        var stored = new StoredContent();
        stored.Append(content);
        lock (found.Lock)
            found.Put(new S3Object(key, stored, S3Objects.Md5(stored), null, Options.Time.GetUtcNow(), new Dictionary<string, string>(), "binary/octet-stream", null));
    }

    /// <summary>All that a bucket holds, by the keys.</summary>
    public IReadOnlyDictionary<string, byte[]> Contents(string bucket)
    {
        var found = _buckets.Get(bucket);
        lock (found.Lock)
            return found.Current.ToDictionary(one => one.Key, one => one.Content.ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Makes empty objects, quickly.</summary>
    public void Fill(string bucket, IEnumerable<string> keys)
    {
        var found = _buckets.Get(bucket);
        lock (found.Lock)
        {
            foreach (var key in keys)
                found.Put(new S3Object(key, new StoredContent(), "d41d8cd98f00b204e9800998ecf8427e", null, Options.Time.GetUtcNow(), new Dictionary<string, string>(), "binary/octet-stream", null));
        }
    }

    /// <summary>Uploads in parts that were neither finished nor given up.</summary>
    public int OpenUploads(string bucket)
    {
        var found = _buckets.Get(bucket);
        lock (found.Lock)
            return found.Uploads.Count;
    }

    public Task WaitForShutdownAsync() => _application.WaitForShutdownAsync();

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, S3Objects objects, S3Multipart multipart)
    {
        try
        {
            var request = new S3Request(context, Options);
            _requests.Enqueue(new S3Seen(request.Operation, request.Bucket, request.Key, request.RawPath, context.Request.ContentLength ?? 0));
            context.Response.Headers["x-amz-request-id"] = Guid.NewGuid().ToString("N")[..16].ToUpperInvariant();
            context.Response.Headers.Server = "AmazonS3";
            if (_faults.FirstOrDefault(fault => fault.Strikes(request.Operation, request.RawPath)) is { } fault)
                await Trouble.AnswerAsync(context, fault, Answer, status => TellAsync(context, Refusal(status)));
            else
                await Answer();

            async Task Answer()
            {
                var signature = SignatureV4.Verify(request, Options);
                if (request.Key.Length == 0)
                    await _buckets.AnswerAsync(request);
                else if (S3Multipart.IsMeant(request))
                    await multipart.AnswerAsync(request, _buckets.Get(request.Bucket), signature);
                else
                    await objects.AnswerAsync(request, _buckets.Get(request.Bucket), signature);
            }
        }
        catch (S3Error error)
        {
            await TellAsync(context, error);
        }
    }

    private static S3Error Refusal(int status) => status switch
    {
        // What others answer with 401.
        401 => new S3Error(400, "ExpiredToken", "The provided token has expired."),
        403 => new S3Error(403, "AccessDenied", "Access Denied"),
        429 => new S3Error(429, "TooManyRequests", "Too many requests."),
        503 => new S3Error(503, "SlowDown", "Please reduce your request rate."),
        _ => new S3Error(status, "InternalError", "We encountered an internal error. Please try again."),
    };

    private static async Task TellAsync(HttpContext context, S3Error error)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        foreach (var (name, value) in error.Headers)
            context.Response.Headers[name] = value;
        context.Response.StatusCode = error.Status;
        if (context.Request.Method == "HEAD" || error.Status == 304)
            return;
        using var xml = new S3Xml("Error", inNamespace: false);
        xml.Add("Code", error.Code).Add("Message", error.Message);
        foreach (var (name, value) in error.Elements)
            xml.Add(name, value);
        await xml.Add("RequestId", context.Response.Headers["x-amz-request-id"].ToString()).SendAsync(context.Response, error.Status);
    }
}
