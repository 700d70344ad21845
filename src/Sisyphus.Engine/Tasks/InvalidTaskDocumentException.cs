namespace Sisyphus.Engine.Tasks;

/// <summary>A text is not a valid task document. Carries every error of it, not only the first.</summary>
public sealed class InvalidTaskDocumentException : Exception
{
    public InvalidTaskDocumentException(IReadOnlyList<TaskDocumentError> errors)
        : base(string.Join(System.Environment.NewLine, errors)) => Errors = errors.ToArray();

    public IReadOnlyList<TaskDocumentError> Errors { get; }
}
