using System.Globalization;
using System.Text;
using System.Xml;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Answers in XML; a key may have characters that XML does not know, and then readers are on their own.</summary>
internal sealed class S3Xml : IDisposable
{
    public const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    private readonly MemoryStream _bytes = new();
    private readonly XmlWriter _writer;

    public S3Xml(string root, bool inNamespace = true)
    {
        _writer = XmlWriter.Create(_bytes, new XmlWriterSettings { Encoding = new UTF8Encoding(false), CheckCharacters = false });
        if (inNamespace)
            _writer.WriteStartElement(root, Namespace);
        else
            _writer.WriteStartElement(root);
    }

    public S3Xml Add(string name, object? value)
    {
        if (value is not null)
            _writer.WriteElementString(name, _writer.LookupPrefix(Namespace) is null ? null : Namespace, value switch { bool flag => flag ? "true" : "false", DateTimeOffset time => Time(time), IFormattable number => number.ToString(null, CultureInfo.InvariantCulture), _ => value.ToString() });
        return this;
    }

    public S3Xml Open(string name)
    {
        _writer.WriteStartElement(name, _writer.LookupPrefix(Namespace) is null ? null : Namespace);
        return this;
    }

    public S3Xml Close()
    {
        _writer.WriteEndElement();
        return this;
    }

    public async Task SendAsync(HttpResponse answer, int status = 200)
    {
        _writer.WriteEndElement();
        _writer.Flush();
        answer.StatusCode = status;
        answer.ContentType = "application/xml";
        answer.ContentLength = _bytes.Length;
        await answer.Body.WriteAsync(_bytes.GetBuffer().AsMemory(0, (int)_bytes.Length));
    }

    public void Dispose()
    {
        _writer.Dispose();
        _bytes.Dispose();
    }

    /// <summary>To the second, as AWS tells it.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'.000Z'", CultureInfo.InvariantCulture);
}
