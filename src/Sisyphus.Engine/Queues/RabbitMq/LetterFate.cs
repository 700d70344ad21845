namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>What becomes of a dead letter that was looked at.</summary>
internal enum LetterFate
{
    Stays,
    /// <summary>It stays, and no more are looked at.</summary>
    StaysAsLast,
    Goes,
}
