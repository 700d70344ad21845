using System.ComponentModel;
using System.Management.Automation;
using System.Security;

namespace Sisyphus.Host;

/// <summary>The error records of the stand-ins; ids and categories as in pwsh where scripts ask for them.</summary>
internal static class EverydayErrors
{
    /// <summary>What a provider, a file or a process may throw at a command that goes on with its next item.</summary>
    public static bool IsItemError(Exception error) =>
        error is RuntimeException and not PipelineStoppedException
            or IOException or UnauthorizedAccessException or SecurityException or NotSupportedException or ArgumentException
            or InvalidOperationException or Win32Exception;

    public static ErrorRecord ToRecord(this Exception error, object? target) => error switch
    {
        IContainsErrorRecord { ErrorRecord: var record } => new ErrorRecord(record, error),
        UnauthorizedAccessException or SecurityException => new(error, "PermissionDenied", ErrorCategory.PermissionDenied, target),
        FileNotFoundException or DirectoryNotFoundException => new(error, "PathNotFound", ErrorCategory.ObjectNotFound, target),
        IOException => new(error, "IOError", ErrorCategory.WriteError, target),
        _ => new(error, error.GetType().Name, ErrorCategory.InvalidOperation, target),
    };
}
