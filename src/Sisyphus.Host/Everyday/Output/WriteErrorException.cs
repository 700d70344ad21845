namespace Microsoft.PowerShell.Commands;

/// <summary>What <c>Write-Error -Message</c> puts into its error record; the name is part of the record's id.</summary>
public sealed class WriteErrorException(string message) : Exception(message);
