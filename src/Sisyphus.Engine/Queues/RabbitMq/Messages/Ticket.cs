using System.Globalization;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>What travels with a task's document through the queues, in the message's headers. A message of a foreign client has none of it.</summary>
internal sealed record Ticket
{
    public const int MaxAttempts = 50;

    private const string Prefix = "sisyphus-";
    /// <summary>Headers have to fit in one frame (128 KiB by default), so a history is cut at its beginning.</summary>
    private const int MaxHistory = 32 * 1024;
    private const int MaxMessage = 500;
    private const int MaxSession = 64;
    /// <summary>More than what is believed, what entries say, and what is written after either: a lease that we wrote has to be known by its number.</summary>
    private const long MaxClaims = 1L << 40;
    /// <summary>Of what anybody may have written.</summary>
    private const long MaxBelievedClaims = 1L << 30;

    public required string Id { get; init; }
    /// <summary>Queue that the task is of.</summary>
    public required string Lane { get; init; }
    public required DateTimeOffset Sent { get; init; }
    /// <summary>How often it was claimed; written before the run, so that a task which kills its nodes is counted.</summary>
    public long Claims { get; init; }
    public int FailedAttempts { get; init; }
    public int Losses { get; init; }
    public IReadOnlyList<AttemptSummary> Attempts { get; init; } = [];
    /// <summary>Of a lease: the node that holds it, and which of its sessions.</summary>
    public string? Owner { get; init; }
    public string? Session { get; init; }
    /// <summary>Of a lease: from 0, one more with each renewal.</summary>
    public int Epoch { get; init; }
    /// <summary>Of a lease: when it was claimed.</summary>
    public DateTimeOffset Claimed { get; init; }

    /// <summary>As found on a queue that everybody may send to: a number of claims that no task comes to is as good as none.</summary>
    public Ticket Believed() => Claims <= MaxBelievedClaims ? this : this with { Claims = 0 };

    /// <summary>Without a node that has it.</summary>
    public Ticket Free() => this with { Owner = null, Session = null, Epoch = 0, Claimed = default };

    public Ticket With(AttemptSummary attempt) => this with { Attempts = [.. Attempts.TakeLast(MaxAttempts - 1), attempt with { Message = Cut(attempt.Message) }] };

    public BasicProperties ToProperties()
    {
        var headers = new Dictionary<string, object?>
        {
            [Prefix + "id"] = Id,
            [Prefix + "lane"] = Lane,
            [Prefix + "sent"] = Sent.ToUnixTimeMilliseconds(),
            [Prefix + "claims"] = Claims,
            [Prefix + "failed-attempts"] = FailedAttempts,
            [Prefix + "losses"] = Losses,
        };
        if (Attempts.Count > 0)
            headers[Prefix + "attempts"] = History();
        if (Owner is not null)
        {
            headers[Prefix + "owner"] = Owner;
            headers[Prefix + "session"] = Session;
            headers[Prefix + "epoch"] = Epoch;
            headers[Prefix + "claimed"] = Claimed.ToUnixTimeMilliseconds();
        }
        return new BasicProperties { ContentType = "application/json", DeliveryMode = DeliveryModes.Persistent, MessageId = Id, Headers = headers };
    }

    /// <summary>What can be made out; a header of another type or range is as good as none.</summary>
    /// <remarks>Anybody who may send can write them: nothing is done because a header says so that its writer could not do himself, see <see cref="BrokerParts.PutInFrontAsync"/>.</remarks>
    /// <returns>Null for a message that no sender or node of ours wrote.</returns>
    public static Ticket? Read(IReadOnlyBasicProperties properties)
    {
        if (properties.Headers is not { } headers || Text(headers, "id") is not { } id || !TaskId.IsValid(id) || Text(headers, "lane") is not { Length: > 0 and <= 255 } lane)
            return null;
        var owner = Text(headers, "owner");
        return new Ticket
        {
            Id = id,
            Lane = lane,
            Sent = Time(headers, "sent") ?? DateTimeOffset.UnixEpoch,
            Claims = Number(headers, "claims", long.MaxValue) is <= MaxClaims and var claims ? claims : 0,
            FailedAttempts = (int)Number(headers, "failed-attempts", 1_000_000),
            Losses = (int)Number(headers, "losses", 1_000_000),
            Attempts = History(headers),
            Owner = TaskId.IsValid(owner) ? owner : null,
            Session = Text(headers, "session") is { Length: <= MaxSession } session ? session : null,
            Epoch = (int)Number(headers, "epoch", int.MaxValue),
            Claimed = Time(headers, "claimed") ?? DateTimeOffset.UnixEpoch,
        };
    }

    private byte[] History()
    {
        for (var skip = 0; ; skip++)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(Attempts.Skip(skip).ToArray(), Wire.Json.AttemptSummaryArray);
            if (json.Length <= MaxHistory)
                return json;
        }
    }

    private static AttemptSummary[] History(IDictionary<string, object?> headers)
    {
        try
        {
            return headers.TryGetValue(Prefix + "attempts", out var value) && value is byte[] { Length: <= 2 * MaxHistory } json
                ? [.. (JsonSerializer.Deserialize(json, Wire.Json.AttemptSummaryArray) ?? []).Where(IsSound).TakeLast(MaxAttempts)]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static bool IsSound(AttemptSummary? attempt) => attempt is { Number: >= 0, Node: not null, Message: not null } && Enum.IsDefined(attempt.Reason);

    private static string? Text(IDictionary<string, object?> headers, string name) =>
        headers.TryGetValue(Prefix + name, out var value) ? value switch { byte[] bytes => Encoding.UTF8.GetString(bytes), string text => text, _ => null } : null;

    private static long Number(IDictionary<string, object?> headers, string name, long most) =>
        headers.TryGetValue(Prefix + name, out var value) && value is sbyte or byte or short or ushort or int or uint or long
            ? Math.Clamp(Convert.ToInt64(value, CultureInfo.InvariantCulture), 0, most)
            : 0;

    private static DateTimeOffset? Time(IDictionary<string, object?> headers, string name) =>
        Number(headers, name, 253402300799999) is > 0 and var milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    private static string Cut(string message) => message.Length <= MaxMessage ? message : message[..MaxMessage] + " …";
}
