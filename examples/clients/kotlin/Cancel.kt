// A typed client of the API: cancels one order for its customer, and repeats the request until there is an answer.
//
//     TOKEN=... java -cp ... CancelKt https://api.example.com ORDER_ID REASON
//
// The package cancelcore is generated from docs/openapi.yaml by openapi-generator (`make clients`).
import cancelcore.apis.CancellationApi
import cancelcore.infrastructure.ApiClient
import cancelcore.infrastructure.ClientError
import cancelcore.infrastructure.ClientException
import cancelcore.infrastructure.Serializer
import cancelcore.infrastructure.ServerException
import cancelcore.models.CancelAnswer
import cancelcore.models.CancelRequest
import cancelcore.models.Problem
import java.io.IOException
import java.util.UUID
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** Cancels the order, or asks the shop to. All attempts have one key, so the order is cancelled once. */
fun cancel(api: CancellationApi, orderId: String, reason: String): CancelAnswer {
    val key = UUID.randomUUID().toString()
    for (attempt in 0..3) {
        try {
            return api.cancelOrder(orderId, CancelRequest(reason = reason), idempotencyKey = key)
        } catch (error: ServerException) {
            Thread.sleep(100L shl attempt)
        } catch (error: IOException) {
            Thread.sleep(100L shl attempt)
        }
    }
    return api.cancelOrder(orderId, CancelRequest(reason = reason), idempotencyKey = key)
}

/** The problem in a refusal, or null if the answer is the gateway's own, which has no `code`. */
fun problem(error: ClientException): Problem? {
    val answer = error.response as? ClientError<*> ?: return null
    val type = answer.headers["content-type"]?.firstOrNull().orEmpty()
    if (!type.startsWith("application/problem+json")) return null
    return Serializer.kotlinxSerializationJson.decodeFromString<Problem>(answer.body as String)
}

fun main(arguments: Array<String>) {
    val (url, orderId, reason) = arguments
    ApiClient.accessToken = System.getenv("TOKEN").orEmpty()
    val api = CancellationApi(url)
    val shown = mutableMapOf("eligible" to JsonPrimitive(api.checkEligibility(orderId).eligible))
    try {
        val order = cancel(api, orderId, reason).order
        shown["status"] = JsonPrimitive(order.status)
        shown["amount"] = JsonPrimitive(order.cancellation?.refund?.amount ?: 0)
    } catch (error: ClientException) {
        shown["refused"] = JsonPrimitive(problem(error)?.code ?: error.statusCode.toString())
    }
    println(JsonObject(shown))
}
