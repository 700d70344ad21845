using System.Collections.Concurrent;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>What a session has leased: of each task a copy on the node's lease queue, delivered to the session and not acknowledged. When the node dies the copies' time to live goes on, and the broker hands them over.</summary>
internal sealed class Leases(BrokerParts parts, string node, string session)
{
    private static readonly TimeSpan s_answerTime = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, HeldTask> _held = [];

    public string Queue { get; } = parts.Names.Lease(node, parts.Options.LeaseTime);

    public string Session => session;

    public string Node => node;

    public IReadOnlyList<HeldTask> All => [.. _held.Values];

    public HeldTask? Find(string id) => _held.GetValueOrDefault(id);

    /// <returns>False when the session has the task already.</returns>
    public bool TryAdd(HeldTask task) => _held.TryAdd(task.Id, task);

    /// <summary>Writes a lease, confirmed.</summary>
    /// <exception cref="QueueException">It may be there or not; the next one takes its place.</exception>
    public async Task WriteAsync(HeldTask task, Ticket ticket, CancellationToken cancellationToken)
    {
        await parts.Publisher.PublishAsync("", Queue, ticket.ToProperties(), task.Document, mandatory: true, cancellationToken).ConfigureAwait(false);
        task.Ticket = ticket;
    }

    public Task RenewAsync(HeldTask task, CancellationToken cancellationToken) => WriteAsync(task, task.Ticket with { Epoch = task.Ticket.Epoch + 1 }, cancellationToken);

    /// <summary>The session is done with the task, whatever became of it. A copy that is still on its way is acknowledged when it comes.</summary>
    public async Task DropAsync(HeldTask task)
    {
        task.State = HoldState.Gone;
        _held.TryRemove(new KeyValuePair<string, HeldTask>(task.Id, task));
        await AckAsync(task).ConfigureAwait(false);
    }

    private static async Task AckAsync(HeldTask task)
    {
        LeaseCopy? copy;
        lock (task)
            (copy, task.Copy) = (task.Copy, null);
        if (copy is { Attachment.IsBroken: false })
            await copy.Attachment.AckLeaseAsync(copy.Tag).ConfigureAwait(false);
    }

    /// <summary>A copy is delivered: it is the one to hold, and its predecessor is done with.</summary>
    public async Task ArriveAsync(Attachment attachment, Incoming message)
    {
        var ticket = Ticket.Read(message.Properties);
        if (ticket?.Owner is not null && ticket.Session != session)
        {
            // Of an earlier process of this name.
            await parts.Publisher.PublishAsync("", parts.Names.Returns, ticket.ToProperties(), message.Body, mandatory: true, CancellationToken.None).ConfigureAwait(false);
            await attachment.AckLeaseAsync(message.Tag).ConfigureAwait(false);
            return;
        }
        var done = message.Tag;
        if (ticket is not null && Find(ticket.Id) is { } task)
        {
            lock (task)
            {
                // Asked in here: who ends the task meanwhile acknowledges only the copy that is noted.
                if (task.State is HoldState.Held or HoldState.Claiming && ticket.Claims >= task.Ticket.Claims && (task.Copy is not { } before || before.Attachment != attachment || before.Claims < ticket.Claims || (before.Claims == ticket.Claims && before.Epoch <= ticket.Epoch)))
                {
                    done = task.Copy?.Attachment == attachment ? task.Copy.Tag : 0;
                    task.Copy = new LeaseCopy(attachment, message.Tag, ticket.Claims, ticket.Epoch);
                }
            }
        }
        if (done != 0)
            await attachment.AckLeaseAsync(done).ConfigureAwait(false);
    }

    /// <summary>Says whether a session, which is this one or was, runs the task, after making sure that it has a lease which is newer than the one asked about.</summary>
    public async Task<Answer> AnswerAsync(string id, string asked, long claims, int epoch)
    {
        if (asked != session)
            return Answer.Another;
        if (Find(id) is not { } task)
            return Answer.NotMine;
        // Settling may take as long as the broker likes, and who asks must not take that for silence.
        if (task.State == HoldState.Claiming || !await task.One.WaitAsync(s_answerTime).ConfigureAwait(false))
            return Answer.Busy;
        try
        {
            if (task.State == HoldState.Lapsed)
                return Answer.Lapsed;
            if (task.State != HoldState.Held || task.Ticket.Claims < claims)
                return Answer.NotMine;
            if (task.Ticket.Claims == claims && task.Ticket.Epoch <= epoch)
                await RenewAsync(task, CancellationToken.None).ConfigureAwait(false);
            return Answer.Mine;
        }
        catch (QueueException)
        {
            return Answer.Silent;
        }
        finally
        {
            task.One.Release();
        }
    }

    /// <summary>After a loss of the connection: new leases for what still runs.</summary>
    public async Task RestoreAsync()
    {
        foreach (var task in All)
        {
            await task.One.WaitAsync().ConfigureAwait(false);
            try
            {
                if (task.State == HoldState.Held && parts.Time.GetElapsedTime(task.Wanted) < parts.Options.LeaseTime)
                    await RenewAsync(task, CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                task.One.Release();
            }
        }
    }

    /// <summary>Gives up what was not renewed in time, as the broker does for a node that is cut off.</summary>
    public async Task LapseAsync()
    {
        foreach (var task in All.Where(task => task.State == HoldState.Held))
        {
            await task.One.WaitAsync().ConfigureAwait(false);
            try
            {
                if (task.State != HoldState.Held || parts.Time.GetElapsedTime(task.Wanted) < parts.Options.LeaseTime)
                    continue;
                // A process that was stopped and goes on renews in the next moment.
                if (!task.IsSuspect)
                {
                    task.IsSuspect = true;
                    continue;
                }
                await parts.Publisher.PublishAsync("", parts.Names.Returns, task.Ticket.ToProperties(), task.Document, mandatory: true, CancellationToken.None).ConfigureAwait(false);
                task.State = HoldState.Lapsed;
                await AckAsync(task).ConfigureAwait(false);
            }
            finally
            {
                task.One.Release();
            }
        }
    }
}
