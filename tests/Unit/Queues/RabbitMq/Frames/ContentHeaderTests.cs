using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq.Frames;

/// <summary>Read by the client itself, before and after.</summary>
public sealed class ContentHeaderTests
{
    [Fact]
    public void Mend_WhatTheClientCanRead_StaysAsItIs()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var header = HeaderBytes.Message(HeaderBytes.Table([.. Enumerable.Range(0, random.Next(5)).Select(n => ($"k{n}", RandomValue(random, random.Next(ContentHeader.MaxDepth), strange: false)))]));
            var mended = (byte[])header.Clone();
            ContentHeader.Mend(mended);
            Assert.Equal(header, mended);
            AssertReadable(mended);
        }
    }

    [Fact]
    public void Mend_WhateverAmqpAllows_CanBeRead()
    {
        var random = new Random(2);
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            var header = HeaderBytes.Message(HeaderBytes.Table([.. Enumerable.Range(0, random.Next(1, 5)).Select(n => ($"k{n}", RandomValue(random, random.Next(100), strange: true))), ("last", HeaderBytes.Text("here"))]));
            refused += TryRead(header) is null ? 1 : 0;
            ContentHeader.Mend(header);
            var read = AssertReadable(header);
            // Nothing is moved or left out.
            Assert.Equal("here"u8.ToArray(), read.Headers!["last"]);
            Assert.Equal(("text/plain", "id", (byte)7), (read.ContentType, read.MessageId, read.Priority));
        }
        Assert.InRange(refused, 1, 2000);
    }

    [Theory, InlineData('A'), InlineData('F')]
    public void Mend_NestedToTheFrame_CanBeRead(char kind)
    {
        var header = HeaderBytes.Message(HeaderBytes.Table([("deep", HeaderBytes.Nested(kind, (131072 - 100) / (kind == 'A' ? 5 : 6))), ("next", HeaderBytes.Text("here"))]));
        ContentHeader.Mend(header);
        var headers = AssertReadable(header).Headers!;
        Assert.Equal("here"u8.ToArray(), headers["next"]);
        var depth = 0;
        var value = headers["deep"];
        for (; value is not BinaryTableValue; depth++)
            value = value is IDictionary<string, object?> table ? table.Values.Single() : Assert.Single((IEnumerable<object?>)value!);
        Assert.Equal(ContentHeader.MaxDepth - 1, depth);
    }

    [Fact]
    public void Mend_DecimalOfMorePlacesThanDotNetHas_GetsAsManyAsThereAre()
    {
        var header = HeaderBytes.Message(HeaderBytes.Table([("price", [(byte)'D', 200, 0, 0, 0, 5])]));
        Assert.Null(TryRead(header));
        ContentHeader.Mend(header);
        Assert.Equal(new decimal(5, 0, 0, false, 28), AssertReadable(header).Headers!["price"]);
    }

    [Fact]
    public void Mend_WhatIsNoHeader_EndsWithoutAnError()
    {
        var random = new Random(3);
        var good = HeaderBytes.Message(HeaderBytes.Table([("a", RandomValue(random, 20, strange: true)), ("b", RandomValue(random, 40, strange: true))]));
        for (var length = 0; length < good.Length; length++)
            ContentHeader.Mend(good.AsSpan(0, length).ToArray());
        for (var i = 0; i < 100_000; i++)
        {
            var broken = (byte[])good.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                broken[random.Next(12, broken.Length)] = (byte)random.Next(256);
            ContentHeader.Mend(broken);
        }
    }

    /// <param name="strange">Also what .NET has not.</param>
    private static byte[] RandomValue(Random random, int depth, bool strange)
    {
        if (depth > 0)
        {
            var inner = RandomValue(random, depth - 1, strange);
            return random.Next(2) == 0 ? HeaderBytes.Array([[(byte)'t', 1], inner, [(byte)'V']]) : HeaderBytes.Nest(HeaderBytes.Table([("n", inner), ("m", [(byte)'V'])]));
        }
        var types = strange ? "SxtbBsuIilLdfTVD" : "SxtbBsuIildfTVD";
        var type = types[random.Next(types.Length)];
        var value = new byte[type switch { 'V' => 0, 't' or 'b' or 'B' => 1, 's' or 'u' => 2, 'I' or 'i' or 'f' => 4, 'D' => 5, _ => 8 }];
        random.NextBytes(value);
        if (type is 'S' or 'x')
            value = HeaderBytes.Text(new string('s', random.Next(20)))[1..];
        if (type == 'D' && !strange)
            value[0] %= 29;
        return [(byte)type, .. value];
    }

    private static ReadOnlyBasicProperties AssertReadable(byte[] header) => TryRead(header) ?? throw new Xunit.Sdk.XunitException("The client can't read " + Convert.ToHexString(header));

    /// <summary>Not for what is nested deep: that would end the process.</summary>
    private static ReadOnlyBasicProperties? TryRead(byte[] header)
    {
        try
        {
            return new ReadOnlyBasicProperties(header.AsSpan(12));
        }
        catch (SyntaxErrorException)
        {
            return null;
        }
    }
}
