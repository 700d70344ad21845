namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>An answer that says no: https://cloud.google.com/storage/docs/json_api/v1/status-codes.</summary>
internal sealed class GoogleError(int status, string reason, string message) : Exception(message)
{
    public int Status => status;

    public string Reason => reason;

    public static GoogleError NoObject(string bucket, string name) => new(404, "notFound", $"No such object: {bucket}/{name}");

    public static GoogleError NoBucket() => new(404, "notFound", "The specified bucket does not exist.");

    public static GoogleError Precondition() => new(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

    public static GoogleError Invalid(string message) => new(400, "invalid", message);
}
