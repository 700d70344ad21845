using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Tasks that ended in error, on a queue of their own: the document as it came, the rest in headers.</summary>
internal sealed class DeadLetterBox(BrokerParts parts) : IDisposable
{
    private const string NoteHeader = "sisyphus-letter";
    /// <summary>The same for who reads the letters with a client of his own.</summary>
    private const string ReasonHeader = "sisyphus-reason";
    private const string MessageHeader = "sisyphus-message";
    /// <summary>Headers have to fit in one frame together.</summary>
    private const int MaxNote = 64 * 1024;
    private const int MaxMessage = 4000;
    private const int MaxPlainMessage = 1000;
    /// <summary>Of what is no task document; a document has 1 MiB at most.</summary>
    private const int MaxDocument = 1 << 20;
    /// <summary>Bytes of letters that are held at a time, some more with the last one. For each page all before it are fetched again, so it is no small one.</summary>
    private const long MaxPage = 32 << 20;
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
        properties.Headers[ReasonHeader] = note.Reason.ToWord();
        properties.Headers[MessageHeader] = Cut(note.Message, MaxPlainMessage);
        await parts.PutAsync(parts.Names.Dead, connection => parts.Topology.EnsurePlainAsync(connection, parts.Names.Dead, cancellationToken), properties, document, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Those that ended first come first, in each page.</summary>
    /// <remarks>In what order the broker has them says nothing: what was looked at before is back in any order. A page at a time, so that no more than that is held, and others have their turn between two: the letters that go meanwhile are not among those that come.</remarks>
    /// <param name="isWanted">By the task's id.</param>
    public async IAsyncEnumerable<DeadLetter> ReadAsync(Predicate<string> isWanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // One of which the writer did not hear that it had arrived is there twice.
        HashSet<(string Id, long Claims)> seen = [];
        for (var isFull = true; isFull;)
        {
            List<DeadLetter> page = [];
            long size = 0;
            await VisitAsync(
                (ticket, letter, document) =>
                {
                    if (!isWanted(ticket.Id) || !seen.Add((ticket.Id, ticket.Claims)))
                        return Task.FromResult(LetterFate.Stays);
                    page.Add(letter);
                    size += MaxNote + document.Length;
                    return Task.FromResult(size < MaxPage ? LetterFate.Stays : LetterFate.StaysAsLast);
                },
                cancellationToken).ConfigureAwait(false);
            isFull = size >= MaxPage;
            foreach (var letter in page.OrderBy(letter => letter.Finished))
                yield return letter;
        }
    }

    /// <summary>Looks at each letter of a task that is dead by all that is known, and does what the visitor says.</summary>
    public async Task VisitAsync(Func<Ticket, DeadLetter, ReadOnlyMemory<byte>, Task<LetterFate>> visit, CancellationToken cancellationToken)
    {
        await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        await VisitAllAsync(async (ticket, note, document) => IsContradicted(ticket) ? LetterFate.Stays : await visit(ticket, Letter(ticket, note, document), document).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Of an end that does not count after all, because another came first; the other's letter stays.</summary>
    public Task TakeBackAsync(LetterNote written, CancellationToken cancellationToken) =>
        VisitAllAsync((_, note, _) => Task.FromResult(note.Writer == written.Writer ? LetterFate.Goes : LetterFate.Stays), cancellationToken);

    /// <summary>A letter is written before the end that it tells of: that may not have counted, and its writer have died before he took it back.</summary>
    private bool IsContradicted(Ticket ticket) => parts.Board.Find(ticket.Id) is { } known && (known.IsHeld || known.Summary.State is TaskState.Complete or TaskState.Canceled);

    private async Task VisitAllAsync(Func<Ticket, LetterNote, ReadOnlyMemory<byte>, Task<LetterFate>> visit, CancellationToken cancellationToken)
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
                await using (channel.Ending().ConfigureAwait(false))
                {
                    while (await parts.Calls.GetAsync(channel, parts.Names.Dead, "read the dead letters", cancellationToken).ConfigureAwait(false) is { } message)
                    {
                        var ticket = Ticket.Read(message.BasicProperties) ?? new Ticket { Id = IdOf(message), Lane = "", Sent = DateTimeOffset.UnixEpoch };
                        var fate = await visit(ticket, Note(message.BasicProperties), message.Body).ConfigureAwait(false);
                        if (fate == LetterFate.StaysAsLast)
                            break;
                        if (fate == LetterFate.Goes)
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
                await channel.EndAsync().ConfigureAwait(false);
            }
            catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.PreconditionFailed)
            {
                await channel.EndAsync().ConfigureAwait(false);
                if (await parts.Inquiries.CountAsync(await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), parts.Names.DeadReader, cancellationToken).ConfigureAwait(false) is null)
                    throw parts.Calls.Explain(error, $"declare the queue {parts.Names.DeadReader}");
                if (await TryConsumeAsync(cancellationToken).ConfigureAwait(false) is { } turn)
                    return turn;
                if (parts.Time.GetElapsedTime(since) >= BrokerCalls.Limit)
                    throw parts.Calls.Failure(QueueFailure.Unavailable, $"could not take its turn at the dead letters: somebody else has {parts.Names.DeadReader} and reads them.");
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                await channel.EndAsync().ConfigureAwait(false);
                throw parts.Calls.Explain(error, "take its turn at the dead letters: somebody else reads them");
            }
            await Task.Delay(s_turn, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Where an administrator has declared the queue, it is its only consumer whose turn it is.</summary>
    /// <returns>Null while it is another's.</returns>
    private async Task<IAsyncDisposable?> TryConsumeAsync(CancellationToken cancellationToken)
    {
        var channel = await parts.Reading.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await parts.Calls.CallAsync(
                token => channel.BasicConsumeAsync(parts.Names.DeadReader, autoAck: true, "", noLocal: false, exclusive: true, arguments: null, new AsyncDefaultBasicConsumer(channel), token),
                "take its turn at the dead letters",
                cancellationToken).ConfigureAwait(false);
            return channel.Ending();
        }
        catch (QueueException error) when (BrokerReplies.IsInExclusiveUse(error.InnerException))
        {
            await channel.EndAsync().ConfigureAwait(false);
            return null;
        }
        catch
        {
            await channel.EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Dispose() => _one.Dispose();

    private static byte[] Write(LetterNote note)
    {
        note = note with { Message = Cut(note.Message, MaxMessage) };
        for (var tail = note.LogTail.Length <= TaskEnd.MaxLogTail ? note.LogTail : note.LogTail[^TaskEnd.MaxLogTail..]; ; tail = tail[(tail.Length / 4)..])
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(note with { LogTail = tail }, Wire.Json.LetterNote);
            if (json.Length <= MaxNote || tail.Length == 0)
                return json;
        }
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..most] + " …";

    private static DeadLetter Letter(Ticket ticket, LetterNote note, ReadOnlyMemory<byte> document) => new()
    {
        Id = ticket.Id, Name = note.Name, Workflow = note.Workflow, State = note.State, Reason = note.Reason, Message = note.Message, Attempts = ticket.Attempts, LogTail = note.LogTail, Record = note.Record,
        Sent = ticket.Sent, Finished = note.Finished, Document = Encoding.UTF8.GetString(document.Span[..Math.Min(document.Length, MaxDocument)]),
    };

    /// <summary>Of a message that somebody else put there: the same each time that it is looked at.</summary>
    private static string IdOf(BasicGetResult message) =>
        TaskId.IsValid(message.BasicProperties.MessageId) ? message.BasicProperties.MessageId! : $"unknown-{Convert.ToHexStringLower(SHA256.HashData(message.Body.Span))[..16]}";

    private static LetterNote Note(IReadOnlyBasicProperties properties)
    {
        try
        {
            if (properties.Headers?.TryGetValue(NoteHeader, out var value) == true && value is byte[] json && JsonSerializer.Deserialize(json, Wire.Json.LetterNote) is { Message: not null, LogTail: not null } note
                && Enum.IsDefined(note.State) && Enum.IsDefined(note.Reason))
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
            await channel.EndAsync().ConfigureAwait(false);
        }
    }
}
