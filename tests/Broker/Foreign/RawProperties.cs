namespace Sisyphus.Tests.Broker.Foreign;

/// <summary>Those of a message that <see cref="RawAmqpClient"/> can write; null is not sent at all.</summary>
/// <param name="Headers">The fields of the table as bytes, without the length before them: right or wrong, they are sent as they are.</param>
internal sealed record RawProperties(string? ContentType = null, byte? DeliveryMode = null, string? ContentEncoding = null, byte[]? Headers = null)
{
    // AMQP 0-9-1, 4.2.6.1: the first property of the class is the highest bit.
    private const int HasContentType = 1 << 15;
    private const int HasContentEncoding = 1 << 14;
    private const int HasHeaders = 1 << 13;
    private const int HasDeliveryMode = 1 << 12;

    public void WriteTo(AmqpBytes bytes)
    {
        bytes.Short(
            (ContentType is null ? 0 : HasContentType) | (ContentEncoding is null ? 0 : HasContentEncoding) |
            (Headers is null ? 0 : HasHeaders) | (DeliveryMode is null ? 0 : HasDeliveryMode));
        if (ContentType is not null)
            bytes.ShortString(ContentType);
        if (ContentEncoding is not null)
            bytes.ShortString(ContentEncoding);
        if (Headers is not null)
            bytes.LongString(Headers);
        if (DeliveryMode is { } mode)
            bytes.Octet(mode);
    }
}
