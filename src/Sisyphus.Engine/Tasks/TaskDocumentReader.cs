using System.Text.Json.Nodes;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Tasks;

/// <summary>Reads task documents from JSON (RFC 8259, UTF-8, an optional byte order mark), at most 64 MiB of it and 1 MiB a document.</summary>
public static class TaskDocumentReader
{
    /// <summary>Reads one document or an array of them, strictly (authoring): unknown and duplicate keys are errors.</summary>
    /// <exception cref="InvalidTaskDocumentException">With every error of every document (the first 1,000).</exception>
    public static IReadOnlyList<TaskDocument> ReadAll(ReadOnlyMemory<byte> json) =>
        TryReadAll(json, out var documents, out var errors) ? documents : throw new InvalidTaskDocumentException(errors);

    /// <summary>As <see cref="ReadAll"/> without exceptions.</summary>
    /// <param name="documents">The valid ones, also when others are not.</param>
    /// <returns>Whether all are valid.</returns>
    public static bool TryReadAll(ReadOnlyMemory<byte> json, out IReadOnlyList<TaskDocument> documents, out IReadOnlyList<TaskDocumentError> errors)
    {
        var readings = Examine(json);
        documents = [.. readings.Select(reading => reading.Document).OfType<TaskDocument>()];
        errors = [.. readings.SelectMany(reading => reading.Errors)];
        return readings.All(reading => reading.IsValid);
    }

    /// <summary>As <see cref="ReadAll"/>, each document with its own errors. A text that is not JSON is one reading without a document.</summary>
    public static IReadOnlyList<TaskDocumentReading> Examine(ReadOnlyMemory<byte> json) => new TextReading(json, lenient: false).ReadAll();

    /// <summary>Reads a document that was made from objects, strictly; its errors have paths but no lines.</summary>
    /// <exception cref="InvalidTaskDocumentException">With every error.</exception>
    public static TaskDocument FromObject(JsonObject document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var reading = new TextReading(TaskDocumentWriter.ToUtf8(writer => document.WriteTo(writer)), lenient: false).ReadOne();
        return reading.Document ?? throw new InvalidTaskDocumentException([.. reading.Errors.Select(error => error with { Line = 0, Column = 0 })]);
    }

    /// <summary>Reads one document as a node does: keys newer than this version are kept in <see cref="TaskPart.Extensions"/> and named in <paramref name="warnings"/>.</summary>
    /// <exception cref="InvalidTaskDocumentException">With every error.</exception>
    public static TaskDocument ReadLenient(ReadOnlyMemory<byte> json, out IReadOnlyList<string> warnings)
    {
        var text = new TextReading(json, lenient: true);
        var reading = text.ReadOne();
        warnings = text.Warnings;
        return reading.Document ?? throw new InvalidTaskDocumentException(reading.Errors);
    }
}
