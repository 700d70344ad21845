using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>The JSON API of Google Cloud Storage on a port of 127.0.0.1: as strict as the service, as far as it goes.</summary>
public sealed class GoogleEmulator : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, GoogleBucket> _buckets = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<GoogleSeen> _requests = [];
    private readonly ConcurrentQueue<Fault> _faults = [];
    private readonly GoogleHandlers _handlers;

    private GoogleEmulator(WebApplication application, GoogleEmulatorOptions options)
    {
        _application = application;
        Options = options;
        _handlers = new GoogleHandlers(this, _buckets);
        application.Run(AnswerAsync);
    }

    public GoogleEmulatorOptions Options { get; }

    /// <summary><c>http://127.0.0.1:PORT/</c>.</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What was asked for so far.</summary>
    public IReadOnlyCollection<GoogleSeen> Requests => _requests;

    /// <param name="port">0: any that is free.</param>
    public static async Task<GoogleEmulator> StartAsync(GoogleEmulatorOptions? options = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}").ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
        });
        var application = builder.Build();
        var emulator = new GoogleEmulator(application, options ?? new GoogleEmulatorOptions());
        await application.StartAsync();
        return emulator;
    }

    public int Count(string operation) => _requests.Count(seen => seen.Operation == operation);

    /// <summary>Bytes that requests of a kind brought, as announced.</summary>
    public long Received(string operation) => _requests.Where(seen => seen.Operation == operation).Sum(seen => seen.Content);

    public void ForgetRequests() => _requests.Clear();

    public void Inject(Fault fault) => _faults.Enqueue(fault);

    public void CreateBucket(string name, bool requesterPays = false, bool forbidden = false) => _buckets[name] = new GoogleBucket(name) { RequesterPays = requesterPays, Forbidden = forbidden };

    /// <summary>Many small objects at once: the prefix and a number each.</summary>
    public void Fill(string bucket, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
            new GoogleUpload(_buckets[bucket], string.Create(CultureInfo.InvariantCulture, $"{prefix}{i:d8}"), Json.Parse([]), Conditions.None).Finish(null);
    }

    /// <summary>Makes an object.</summary>
    public void Put(string bucket, string key, ReadOnlySpan<byte> content)
    {
        var upload = new GoogleUpload(_buckets[bucket], key, Json.Parse([]), Conditions.None);
        upload.Append(content);
        upload.Finish(null);
    }

    /// <summary>All that a bucket holds, by the keys.</summary>
    public IReadOnlyDictionary<string, byte[]> Contents(string bucket) => _buckets[bucket].All.ToDictionary(one => one.Name, one => one.Content.ToArray(), StringComparer.Ordinal);

    /// <summary>Resumable uploads that are neither finished nor given up.</summary>
    public int OpenUploads => _handlers.OpenUploads;

    /// <summary>Forgets the uploads that were begun, as the service does after a week.</summary>
    public void ExpireUploads() => _handlers.ExpireUploads();

    public Task WaitForShutdownAsync() => _application.WaitForShutdownAsync();

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var request = new GoogleRequest(context);
            _requests.Enqueue(new GoogleSeen(request.Operation, request.RawTarget, context.Request.ContentLength ?? 0) { Headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase) });
            if (_faults.FirstOrDefault(fault => fault.Strikes(request.Operation, request.RawTarget)) is { } fault)
                await Trouble.AnswerAsync(context, fault, () => _handlers.AnswerAsync(request), status => TellAsync(context, Refusal(status)));
            else
                await _handlers.AnswerAsync(request);
        }
        catch (GoogleError error)
        {
            await TellAsync(context, error);
        }
    }

    private static GoogleError Refusal(int status) => status switch
    {
        401 => new GoogleError(401, "authError", "Invalid Credentials"),
        403 => new GoogleError(403, "forbidden", "somebody@example.com does not have storage.objects access to the Google Cloud Storage object."),
        _ => new GoogleError(status, "backendError", "We encountered an internal error. Please try again."),
    };

    private static async Task TellAsync(HttpContext context, GoogleError error)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = error.Status;
        if (error.Status == 304)
            return;
        await context.Response.WriteAsJsonAsync(
            new { error = new { code = error.Status, message = error.Message, errors = new[] { new { message = error.Message, domain = "global", reason = error.Reason } } } },
            JsonSerializerOptions.Default);
    }
}

/// <summary>A request that came.</summary>
/// <param name="Operation">buckets, list, stat, get, put, create, upload.start, upload.chunk, upload.ask, upload.cancel, copy, delete or other.</param>
/// <param name="RawTarget">As it was sent.</param>
/// <param name="Content">Bytes of its content, as announced.</param>
public sealed record GoogleSeen(string Operation, string RawTarget, long Content)
{
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
