namespace Sisyphus.Engine.Storage;

/// <summary>How much a content to be written is.</summary>
internal static class ContentLength
{
    /// <summary>Bytes that follow, or null where nobody knows. A hint: a file may grow meanwhile.</summary>
    public static long? Of(Stream content)
    {
        try
        {
            // Streams that can't seek may know their length all the same.
            return content.Length - (content.CanSeek ? content.Position : 0);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }
}
