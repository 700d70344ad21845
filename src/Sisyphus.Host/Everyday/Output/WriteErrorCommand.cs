using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommunications.Write, "Error", DefaultParameterSetName = "NoException")]
public sealed class WriteErrorCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ParameterSetName = "NoException")]
    [Parameter(ParameterSetName = "WithException")]
    [AllowNull]
    [AllowEmptyString]
    [Alias("Msg")]
    public string? Message { get; set; }

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "WithException")]
    public Exception? Exception { get; set; }

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "ErrorRecord")]
    public ErrorRecord? ErrorRecord { get; set; }

    [Parameter(ParameterSetName = "NoException")]
    [Parameter(ParameterSetName = "WithException")]
    public ErrorCategory Category { get; set; }

    [Parameter(ParameterSetName = "NoException")]
    [Parameter(ParameterSetName = "WithException")]
    public string? ErrorId { get; set; }

    [Parameter(ParameterSetName = "NoException")]
    [Parameter(ParameterSetName = "WithException")]
    public object? TargetObject { get; set; }

    [Parameter]
    public string? RecommendedAction { get; set; }

    [Parameter]
    public string? CategoryActivity { get; set; }

    [Parameter]
    public string? CategoryReason { get; set; }

    [Parameter]
    public string? CategoryTargetName { get; set; }

    [Parameter]
    public string? CategoryTargetType { get; set; }

    protected override void ProcessRecord()
    {
        var error = ErrorRecord is null ? New() : new ErrorRecord(ErrorRecord, null);
        if (RecommendedAction is not null)
            error.ErrorDetails = new ErrorDetails(Message ?? error.Exception.Message) { RecommendedAction = RecommendedAction };
        error.CategoryInfo.Activity = CategoryActivity ?? error.CategoryInfo.Activity;
        error.CategoryInfo.Reason = CategoryReason ?? error.CategoryInfo.Reason;
        error.CategoryInfo.TargetName = CategoryTargetName ?? error.CategoryInfo.TargetName;
        error.CategoryInfo.TargetType = CategoryTargetType ?? error.CategoryInfo.TargetType;
        if (GetVariableValue("MyInvocation") is InvocationInfo caller)
        {
            EngineInternals.SetInvocation(error, caller);
            error.CategoryInfo.Activity = CategoryActivity ?? "Write-Error";
        }

        WriteError(error);
    }

    private ErrorRecord New()
    {
        var exception = Exception ?? new WriteErrorException(Message ?? "");
        var error = new ErrorRecord(exception, ErrorId ?? exception.GetType().FullName, Category, TargetObject);
        if (Exception is not null && Message is not null)
            error.ErrorDetails = new ErrorDetails(Message);
        return error;
    }
}
