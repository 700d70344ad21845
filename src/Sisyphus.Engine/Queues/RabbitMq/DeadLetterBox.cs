using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Tasks that ended in error, on a queue of their own: the document as it came, the rest in headers.</summary>
internal sealed class DeadLetterBox(BrokerParts parts) : IDisposable
{
    private const string NoteHeader = "sisyphus-letter";
    /// <summary>Headers have to fit in one frame together.</summary>
    private const int MaxNote = 64 * 1024;
    private const int MaxMessage = 4000;
    /// <summary>Of what is no task document; a document has 1 MiB at most.</summary>
    private const int MaxDocument = 1 << 20;
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _one = new(1, 1);

    public async Task PutAsync(Ticket ticket, LetterNote note, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        var properties = ticket.Free().ToProperties();
        if (document.Length > MaxDocument)
        {
            note = note with { Message = $"{note.Message} Of its {document.Length:N0} bytes the first {MaxDocument:N0} are kept." };
            document = document[..MaxDocument];
        }
        properties.Headers![NoteHeader] = Write(note);
        await parts.PutAsync(parts.Names.Dead, connection => parts.Topology.EnsurePlainAsync(connection, parts.Names.Dead, cancellationToken), properties, document, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Oldest first.</summary>
    public async Task<IReadOnlyList<DeadLetter>> ReadAsync(CancellationToken cancellationToken)
    {
        List<(DeadLetter Letter, long Claims)> letters = [];
        await VisitAsync(
            (ticket, letter, _) =>
            {
                letters.Add((letter, ticket.Claims));
                return Task.FromResult(false);
            },
            cancellationToken).ConfigureAwait(false);
        // One of which the writer did not hear that it had arrived is there twice.
        return [.. letters.DistinctBy(item => (item.Letter.Id, item.Claims)).Select(item => item.Letter).OrderBy(letter => letter.Finished)];
    }

    /// <summary>Looks at each letter, and removes it where the visitor says so.</summary>
    public async Task VisitAsync(Func<Ticket, DeadLetter, ReadOnlyMemory<byte>, Task<bool>> visit, CancellationToken cancellationToken)
    {
        var connection = await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await parts.Topology.EnsurePlainAsync(connection, parts.Names.Dead, cancellationToken).ConfigureAwait(false);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var turn = await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
            await using (turn.ConfigureAwait(false))
            {
                var channel = await parts.Reading.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
                // What was looked at and not removed is back in its place with the channel's end.
                await using (channel.ConfigureAwait(false))
                {
                    while (await parts.Calls.CallAsync(token => channel.BasicGetAsync(parts.Names.Dead, autoAck: false, token), "read the dead letters", cancellationToken).ConfigureAwait(false) is { } message)
                    {
                        var (ticket, letter) = Read(message);
                        if (await visit(ticket, letter, message.Body).ConfigureAwait(false))
                            await parts.Calls.CallAsync(token => channel.BasicAckAsync(message.DeliveryTag, multiple: false, token).AsTask(), "remove a dead letter", cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>While one process looks at the letters another one would find none.</summary>
    /// <returns>Ends the turn.</returns>
    private async Task<IAsyncDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        for (var since = parts.Time.GetTimestamp(); ;)
        {
            var channel = await parts.Reading.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await channel.QueueDeclareAsync(parts.Names.DeadReader, durable: false, exclusive: true, autoDelete: false, cancellationToken: cancellationToken).WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
                return new Turn(channel, parts.Names.DeadReader);
            }
            catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.ResourceLocked && parts.Time.GetElapsedTime(since) < BrokerCalls.Limit)
            {
                await channel.DisposeAsync().ConfigureAwait(false);
            }
            catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.AccessRefused)
            {
                // Without the right to declare there are no turns, and two who look at once see a part each.
                return channel;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                await channel.DisposeAsync().ConfigureAwait(false);
                throw parts.Calls.Explain(error, "take its turn at the dead letters: somebody else reads them");
            }
            await Task.Delay(s_turn, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => _one.Dispose();

    private static byte[] Write(LetterNote note)
    {
        if (note.Message.Length > MaxMessage)
            note = note with { Message = note.Message[..MaxMessage] + " …" };
        for (var tail = note.LogTail.Length <= TaskEnd.MaxLogTail ? note.LogTail : note.LogTail[^TaskEnd.MaxLogTail..]; ; tail = tail[(tail.Length / 4)..])
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(note with { LogTail = tail }, Wire.Json.LetterNote);
            if (json.Length <= MaxNote || tail.Length == 0)
                return json;
        }
    }

    private static (Ticket Ticket, DeadLetter Letter) Read(BasicGetResult message)
    {
        var ticket = Ticket.Read(message.BasicProperties)
            ?? new Ticket { Id = TaskId.IsValid(message.BasicProperties.MessageId) ? message.BasicProperties.MessageId! : "unknown", Lane = "", Sent = DateTimeOffset.UnixEpoch };
        var note = Note(message.BasicProperties);
        return (ticket, new DeadLetter
        {
            Id = ticket.Id, Name = note.Name, Workflow = note.Workflow, State = note.State, Reason = note.Reason, Message = note.Message, Attempts = ticket.Attempts, LogTail = note.LogTail, Record = note.Record,
            Sent = ticket.Sent, Finished = note.Finished, Document = Encoding.UTF8.GetString(message.Body.Span),
        });
    }

    private static LetterNote Note(IReadOnlyBasicProperties properties)
    {
        try
        {
            if (properties.Headers?.TryGetValue(NoteHeader, out var value) == true && value is byte[] json && JsonSerializer.Deserialize(json, Wire.Json.LetterNote) is { } note)
                return note;
        }
        catch (JsonException)
        {
            // As if there were none.
        }
        return new LetterNote { State = TaskState.SystemError, Reason = FailureReason.Internal, Message = "Somebody else put this message among the dead letters.", Finished = DateTimeOffset.UnixEpoch };
    }

    private sealed class Turn(IChannel channel, string queue) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (channel.IsOpen)
                await ((Task)channel.QueueDeleteAsync(queue, false, false)).WaitAsync(BrokerCalls.Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }
}
